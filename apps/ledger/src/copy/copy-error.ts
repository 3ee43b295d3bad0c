import { StartError } from '../start-error.ts';

/** Why a log can't be copied, or not further: in one line, with the event that it is about. Another try would end the same way. */
export class CopyError extends StartError {}

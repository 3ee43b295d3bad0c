/** Why a backup or a restore came to nothing, in one line: what, where, and what to do. */
export class BackupError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BackupError';
  }
}

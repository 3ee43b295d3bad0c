/** Roles for one action: names of users or groups, or `$all`. Undefined: as the next ACL in line has it. */
export interface StreamAcl {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly delete?: readonly string[];
  readonly metaRead?: readonly string[];
  readonly metaWrite?: readonly string[];
}

/** What of a stream's metadata the server itself heeds. */
export interface StreamMetadata {
  readonly maxCount?: number;
  readonly maxAgeMs?: number;
  readonly truncateBefore?: number;
  readonly acl?: StreamAcl;
}

export interface SystemSettings {
  readonly userStreamAcl?: StreamAcl;
  readonly systemStreamAcl?: StreamAcl;
}

export const SETTINGS_STREAM = '$settings';

/** `$tb` of a stream that is deleted softly: the largest 64-bit integer, as JSON; a double holds it rounded. */
export const SOFT_DELETED_JSON = '{"$tb":9223372036854775807}';
const SOFT_DELETED_AT = 2 ** 63;

export const isSystemStream = (stream: string): boolean => stream.startsWith('$');
export const isMetadataStream = (stream: string): boolean => stream.startsWith('$$');
export const metadataStreamOf = (stream: string): string => `$$${stream}`;
/** The stream whose metadata the given one holds. */
export const describedStreamOf = (metadataStream: string): string => metadataStream.slice(2);

export const isSoftDeleted = (metadata: StreamMetadata): boolean => (metadata.truncateBefore ?? 0) >= SOFT_DELETED_AT;

/** A stream of metadata shows the last of its events alone. */
export const METADATA_OF_METADATA: StreamMetadata = { maxCount: 1 };

/** What is no object, or has members of another type, counts as absent: a server does not fail on it. */
export function parseStreamMetadata(data: Uint8Array): StreamMetadata {
  const json = parseObject(data);
  const maxCount = positive(json['$maxCount']);
  const maxAge = positive(json['$maxAge']);
  const truncateBefore = json['$tb'];
  const acl = parseAcl(json['$acl']);
  return {
    ...(maxCount !== undefined && { maxCount }),
    ...(maxAge !== undefined && { maxAgeMs: maxAge * 1000 }),
    ...(typeof truncateBefore === 'number' && truncateBefore >= 0 && { truncateBefore }),
    ...(acl !== undefined && { acl }),
  };
}

export function parseSystemSettings(data: Uint8Array): SystemSettings {
  const json = parseObject(data);
  const userStreamAcl = parseAcl(json['$userStreamAcl']);
  const systemStreamAcl = parseAcl(json['$systemStreamAcl']);
  return { ...(userStreamAcl && { userStreamAcl }), ...(systemStreamAcl && { systemStreamAcl }) };
}

/** The same metadata, showing the stream from the given revision on: what was deleted softly lives again. */
export function undeletedMetadata(data: Uint8Array, fromRevision: number): Uint8Array {
  return Buffer.from(JSON.stringify({ ...parseObject(data), $tb: fromRevision }));
}

function parseObject(data: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}

function parseAcl(json: unknown): StreamAcl | undefined {
  if (!isObject(json)) return undefined;
  const [read, write, remove, metaRead, metaWrite] = ['$r', '$w', '$d', '$mr', '$mw'].map((key) =>
    parseRoles(json[key]),
  );
  return {
    ...(read && { read }),
    ...(write && { write }),
    ...(remove && { delete: remove }),
    ...(metaRead && { metaRead }),
    ...(metaWrite && { metaWrite }),
  };
}

function parseRoles(json: unknown): readonly string[] | undefined {
  if (typeof json === 'string') return [json];
  return Array.isArray(json) ? json.filter((role) => typeof role === 'string') : undefined;
}

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const positive = (json: unknown): number | undefined => (typeof json === 'number' && json > 0 ? json : undefined);

/** Something that there is only so much of (places in a queue, in a cache, for those who wait), and how much is in use. */
export interface Bound {
  /** Its name, in a metric and in the table of bounds: lower case, with hyphens. It stays. */
  readonly what: string;
  readonly most: number;
  readonly inUse: () => number;
}

/** The seed of what is drawn at random: the one that `WRIT_SEED` gives, or a new one. */
export const SEED = Number(process.env['WRIT_SEED'] ?? Date.now() % 1_000_000_007);

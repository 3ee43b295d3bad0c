import type { Config } from './config/config.ts';
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, developmentKey } from './auth/development-key.ts';
import { fixedKeys, keysFromFile, keysFromUrl } from './auth/key-source.ts';
import { TokenVerifier } from './auth/token-verifier.ts';
import { StartError } from './start-error.ts';
import { messageOf } from './thrown.ts';

/**
 * The verifier of tokens: of an identity provider, or of the key that this service made for itself.
 * @throws StartError when the keys can't be read
 */
export async function openVerifier({ identity, dataDir }: Config): Promise<TokenVerifier> {
  if (identity.mode === 'development') {
    const { publicKey } = await developmentKey(dataDir);
    return new TokenVerifier({
      keys: fixedKeys([publicKey]),
      issuer: DEVELOPMENT_ISSUER,
      audience: DEVELOPMENT_AUDIENCE,
    });
  }
  const { jwks, issuer, audience } = identity;
  const keys = 'url' in jwks ? keysFromUrl(jwks.url) : keysFromFile(jwks.file);
  try {
    await keys.refreshed();
  } catch (error) {
    const variable = 'url' in jwks ? 'WRIT_JWKS_URL' : 'WRIT_JWKS_FILE';
    throw new StartError(`${variable}: the keys of the identity provider can't be used: ${messageOf(error)}.`);
  }
  return new TokenVerifier({ keys, issuer, audience });
}

import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, developmentKey } from './auth/development-key.ts';
import { fixedKeys, keysFromFile, keysFromUrl, type KeySource, type KeyWatch } from './auth/key-source.ts';
import { TokenVerifier } from './auth/token-verifier.ts';
import { StartError } from './start-error.ts';
import { messageOf, sentence } from './thrown.ts';

/** Whoever checks tokens, and the keys that it checks them with. */
export interface Identity {
  readonly verifier: TokenVerifier;
  readonly keys: KeySource;
}

/**
 * The verifier of tokens: of an identity provider, or of the key that this service made for itself.
 * @throws StartError when the keys can't be read
 */
export async function openIdentity({ identity, dataDir }: Config, logger: Logger): Promise<Identity> {
  if (identity.mode === 'development') {
    const { publicKey } = await developmentKey(dataDir);
    const keys = fixedKeys([publicKey]);
    return { keys, verifier: new TokenVerifier({ keys, issuer: DEVELOPMENT_ISSUER, audience: DEVELOPMENT_AUDIENCE }) };
  }
  const { jwks, issuer, audience } = identity;
  const watch = watching(logger);
  const keys = 'url' in jwks ? keysFromUrl(jwks.url, { watch }) : keysFromFile(jwks.file, watch);
  try {
    await keys.refreshed();
  } catch (error) {
    const variable = 'url' in jwks ? 'WRIT_JWKS_URL' : 'WRIT_JWKS_FILE';
    throw new StartError(sentence(`${variable}: the keys of the identity provider can't be used: ${messageOf(error)}`));
  }
  return { keys, verifier: new TokenVerifier({ keys, issuer, audience }) };
}

/** Told of when it begins and when it is over; the first look is told of by whoever starts the service. */
function watching(logger: Logger): KeyWatch {
  return {
    failed: (error) => {
      logger.warn(
        { err: error },
        'the keys of the identity provider can not be read: the last ones are used for an hour',
      );
    },
    recovered: () => {
      logger.info('the keys of the identity provider can be read again');
    },
  };
}

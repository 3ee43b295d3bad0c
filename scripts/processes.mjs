import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program to its end and passes on to it the signals that this process gets meanwhile: npm signals only its own
 * child, so what runs below this script would otherwise outlive it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, capture?: boolean, onStart?: (pid: number) => void }} options `capture` keeps what it prints
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, output: string }>}
 */
export function runToEnd(command, args, { cwd, capture = false, onStart }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    const passOn = (signal) => child.kill(signal);
    for (const signal of PASSED_ON) process.on(signal, passOn);
    const stopPassingOn = () => {
      for (const signal of PASSED_ON) process.off(signal, passOn);
    };

    let output = '';
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.once('spawn', () => onStart?.(child.pid));
    child.once('error', (error) => {
      stopPassingOn();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopPassingOn();
      resolve({ code, signal, output });
    });
  });
}

/** Ends this process as its child ended: with the same code, or by the same signal. */
export function endAs({ code, signal }) {
  if (signal === null) process.exit(code ?? 1);
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}

// The shell, and the processes of this machine, from /proc.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // gone in the meantime
  }
}

/** [{ pid, parent, state, command, args }] of all that are there; zombies have state 'Z'. */
export function processes() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
    const [state, parent] = read(name, 'stat').replace(/^.*\) /s, '').split(' ');
    const args = read(name, 'cmdline').split('\0').slice(0, -1);
    return { pid: Number(name), parent: Number(parent), state, command: args[0] ?? '', args };
  });
}

export function childrenOf(pid) {
  return processes().filter((process) => process.parent === pid && process.state !== 'Z');
}

/** Its children, their children, and so on. */
export function descendantsOf(pid) {
  const all = processes();
  const found = [];
  for (let parents = [pid]; parents.length > 0;) {
    const children = all.filter(({ parent, state }) => parents.includes(parent) && state !== 'Z');
    found.push(...children);
    parents = children.map((child) => child.pid);
  }
  return found;
}

export function isAlive(pid) {
  return processes().some((process) => process.pid === pid && process.state !== 'Z');
}

/** What a shell prints for the command; rejects with all of it when that fails. */
export function shell(command) {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

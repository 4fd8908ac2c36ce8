// Devices with real engines that serve another model than they say: for what audits find of them.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NATARIS } from './network.mjs';

/** Of the file that the catalog has for a model. */
export function sha256Of(model) {
  const list = JSON.parse(execFileSync(NATARIS, ['catalog', '--json']).toString());
  return list.find((one) => one.id === model).sha256;
}

/** A folder in which `claimed` is the file of `served` (of the folder `models`), marked as checked: what a liar would do. */
export function modelFolder(models, folder, served, claimed) {
  const file = path.join(folder, `${claimed}.gguf`);
  mkdirSync(folder, { recursive: true });
  copyFileSync(path.join(models, `${served}.gguf`), file);
  const { size, ino, mtimeNs } = statSync(file, { bigint: true });
  const seconds = `${mtimeNs / 1000000000n}.${String(mtimeNs % 1000000000n).padStart(9, '0')}`;
  writeFileSync(`${file}.verified`, `${sha256Of(claimed)} ${size} ${seconds} ${ino}\n`, { mode: 0o600 });
  return folder;
}

// Unpacks the Chromium, the libraries and the font that @sparticuz/chromium carries into `chromium/` beside this file.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { inflate } from '@sparticuz/chromium';

const packed = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin');
const folder = join(dirname(fileURLToPath(import.meta.url)), 'chromium');
await mkdir(folder);
// It unpacks into the folder for temporary files, and takes what it finds there: not one that others can write to.
process.env.TMPDIR = folder;
for (const name of ['chromium.br', 'al2023.tar.br', 'fonts.tar.br']) await inflate(join(packed, name));
// The one that it carries looks for fonts where Lambda has them.
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;
await writeFile(join(folder, 'fonts/fonts.conf'), fonts);

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect as connectTo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { listen } from '#test/support/listen.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { startNameServer } from '../probes/name-server.ts';
import type { Stack } from './stack.ts';

/** What stands around the stack: a web server, a site with a certificate, a name server, a disk, and a way to the API. */
export async function surround(stack: Stack) {
  const dir = await temporaryFolder();
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  const hasDisk = mountTmpfs(disk, 'size=2m');
  const nginx = createServer((_request, response) => response.end('ok'));
  const site = createHttpsServer(certificate(dir, 'good', ['20260101000000Z', '20360101000000Z']), (_request, response) =>
    response.end('ok'),
  );
  let doesName = true;
  const nameServer = await startNameServer(() => (doesName ? ['192.0.2.1'] : 'nothing'));
  const [nginxPort, sitePort] = [await listen(nginx), await listen(site)];
  const [api, admin] = [await way(stack.api().url), await way(stack.api().adminUrl)];
  return { dir, disk, hasDisk, nginx, nginxPort, site, sitePort, nameServer, silenceNames: () => void (doesName = false), api, admin };
}

export type Surroundings = Awaited<ReturnType<typeof surround>>;

/** Takes connections as what stands behind it would, until it is led elsewhere. */
async function way(first: string): Promise<{ readonly url: string; readonly leadTo: (url: string) => void }> {
  let port = Number(new URL(first).port);
  const server = createTcpServer((socket) => {
    const behind = connectTo(port, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    socket.on('error', () => behind.destroy());
    behind.on('error', () => socket.destroy());
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, leadTo: (url) => void (port = Number(new URL(url).port)) };
}

/** A key and a certificate of shop.example, signed by itself. */
export function certificate(dir: string, name: string, [from, until]: readonly [string, string]) {
  const files = {
    key: join(dir, `${name}.key`),
    cert: join(dir, `${name}.pem`),
    asked: join(dir, `${name}.csr`),
    settings: join(dir, `${name}.cnf`),
  };
  const own = `database=${join(dir, `${name}.txt`)}\nnew_certs_dir=${dir}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=x`;
  writeFileSync(files.settings, `[ca]\ndefault_ca=d\n[d]\n${own}\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:shop.example\n`);
  writeFileSync(join(dir, `${name}.txt`), '');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-new', ...curve, '-subj', '/CN=shop.example', '-keyout', files.key, '-out', files.asked], {
    stdio: 'pipe',
  });
  const dates = ['-startdate', from, '-enddate', until];
  const signing = ['ca', '-selfsign', '-batch', '-notext', '-config', files.settings, '-keyfile', files.key, '-in', files.asked];
  execFileSync('openssl', [...signing, ...dates, '-out', files.cert], { stdio: 'pipe' });
  return { key: readFileSync(files.key), cert: readFileSync(files.cert) };
}

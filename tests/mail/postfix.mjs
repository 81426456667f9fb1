// Postfix and OpenDKIM as they are installed, or can be: set up by the page that senders read, in folders of this run's own.
// Namespaces keep them from the machine's.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { aptInstall, canApt } from "../../src/dev/apt.mjs";
import { output, start, which } from "../../src/dev/run.mjs";
import { blocks } from "./page.mjs";

const DEBIAN = "/etc/postfix";
const PROGRAMS = ["postfix", "opendkim", "opendkim-genkey", "unshare"];
const PACKAGES = ["postfix", "opendkim", "opendkim-tools", "python3-dkim"];
// Mounts and processes of its own.
const APART = ["--mount", "--pid", "--fork", "--mount-proc"];
const PYTHON = "/usr/bin/python3";

/** Why nothing can be sent through Postfix here; false when it can. */
export async function missing() {
  if (process.platform !== "linux" || process.getuid() !== 0) return "Postfix needs root on Linux";
  const lacks = () =>
    PROGRAMS.find((name) => which(name) === null) ??
    (spawnSync(PYTHON, ["-c", "import dkim"]).status === 0 ? null : "python3-dkim");
  if (lacks() && canApt()) await aptInstall("Installing Postfix and OpenDKIM", "1 min", PACKAGES);
  if (lacks()) return `${lacks()} is missing: install ${PACKAGES.join(", ")}`;
  if (spawnSync("unshare", [...APART, "true"]).status !== 0) return "no namespace may be made here";
  return false;
}

/** A mail server that signs; `to` is the port that it hands mail to. */
export async function startPostfix(to, clickproof, keys) {
  const home = mkdtempSync(path.join(os.tmpdir(), "clickproof-postfix-"));
  chmodSync(home, 0o755);
  const at = (name) => path.join(home, name);
  const [port, milter] = [await freePort(), await freePort()];
  const [script, master, main, opendkim] = blocks("Postfix");
  // What the page says, at this run's places.
  const here = (text) =>
    text
      .replaceAll("/etc/postfix/clickproof-filter", at("filter"))
      .replaceAll("/etc/clickproof/link_keys", at("link_keys"))
      .replaceAll("/usr/local/bin/clickproof", at("clickproof"))
      .replaceAll("/etc/dkimkeys", home)
      .replaceAll("user=clickproof", "user=nobody")
      .replaceAll("8891", String(milter))
      .replace(/^smtp(?= +inet)/m, `127.0.0.1:${port}`);
  copyFileSync(clickproof, at("clickproof"));
  writeFileSync(at("link_keys"), keys, { mode: 0o644 });
  writeFileSync(at("filter"), here(script), { mode: 0o755 });
  // It does not like keys below a folder that all may write to.
  writeFileSync(at("opendkim.conf"), `${here(opendkim)}RequireSafeKeys no\n`);
  mkdirSync(at("etc"));
  for (const name of ["postfix-files", "postfix-script", "post-install", "dynamicmaps.cf"]) {
    if (existsSync(path.join(DEBIAN, name))) copyFileSync(path.join(DEBIAN, name), at(`etc/${name}`));
  }
  const services = readFileSync(path.join(DEBIAN, "master.cf.proto"), "utf8")
    .replace(/^smtp\s+inet .*$/m, "")
    // Not in a chroot: it would need files of its own.
    .replace(/^(\w+ +\w[\w-]* +\S+ +\S+ +)y /gm, "$1n ");
  writeFileSync(at("etc/master.cf"), services + here(master));
  const settings = [
    "compatibility_level = 3.6",
    "myhostname = mail.brand.example",
    "mydestination =",
    "inet_interfaces = loopback-only",
    "inet_protocols = ipv4",
    `relayhost = [127.0.0.1]:${to}`,
    "maillog_file = /dev/stdout",
    "alias_maps =",
    "",
  ];
  writeFileSync(at("etc/main.cf"), settings.join("\n") + here(main));
  run("opendkim-genkey", ["-b", "2048", "-d", "brand.example", "-s", "clickproof", "-D", home]);
  // Postfix opens it again, which only a file allows.
  const log = openSync(at("log"), "a");
  const stdio = ["ignore", log, log];
  const signer = start("opendkim", ["-f", "-x", at("opendkim.conf")], { stdio });
  const mounts = [
    `mount --bind ${at("etc")} /etc/postfix`,
    "mount -t tmpfs -o mode=755 none /var/spool/postfix",
    "mount -t tmpfs -o mode=755 none /var/lib/postfix",
    "chown postfix: /var/lib/postfix",
    "exec postfix start-fg",
  ];
  const server = start("unshare", [...APART, "sh", "-ec", mounts.join("\n")], { stdio });
  const close = async () => {
    signer.kill("SIGTERM");
    // The first process of the namespace takes the others with it.
    const first = output("ps", ["-o", "pid=", "--ppid", String(server.pid)]);
    process.kill(Number(first ?? server.pid), "SIGKILL");
    await Promise.all([server.exited, signer.exited]);
    closeSync(log);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await answers(port);
    await answers(milter);
  } catch (error) {
    const said = readFileSync(at("log"), "utf8");
    await close();
    throw new Error(`${error.message}\n${said}`);
  }
  const record = [...readFileSync(at("clickproof.txt"), "utf8").matchAll(/"([^"]*)"/g)].map(
    ([, text]) => text,
  );
  return { port, record: record.join(""), log: () => readFileSync(at("log"), "utf8"), close };
}

/** Whether the mail's signature holds against this DNS record, as dkimpy sees it. */
export function isSigned(mail, record) {
  const check = [
    "import dkim, sys",
    "answer = lambda name, timeout=5: sys.argv[1].encode()",
    "sys.exit(0 if dkim.verify(sys.stdin.buffer.read(), dnsfunc=answer) else 1)",
  ];
  return spawnSync(PYTHON, ["-c", check.join("\n"), record], { input: mail }).status === 0;
}

async function answers(port) {
  for (let tries = 0; tries < 600; tries++) {
    const socket = net.connect(port, "127.0.0.1");
    const open = await new Promise((done) => {
      socket.once("connect", () => done(true)).once("error", () => done(false));
    });
    socket.destroy();
    if (open) return;
    await sleep(100);
  }
  throw new Error(`Nothing answers on port ${port}.`);
}

function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

function run(command, args) {
  const done = spawnSync(command, args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${command} fails: ${done.stderr}`);
}

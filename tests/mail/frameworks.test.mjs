// Mails that Nodemailer and Django write go through the filter as `static/docs/sending.md` says.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { KEYS, blocks, buildClickproof } from "./page.mjs";
import { startSink } from "./smtp.mjs";

const SLOW = { timeout: 600_000 };
const HTML = '<p>Grüße</p><a href="https://brand.example/spring?a=1&amp;b=2">Spring</a>';
const IDS = { "X-Clickproof-Message": "spring", "X-Clickproof-Recipient": "r1" };
const SIGNED =
  "from:to:subject:date:message-id:mime-version:content-type:list-unsubscribe:list-unsubscribe-post";

const pythons = ["python3", "/usr/bin/python3"];
const python = pythons.find((name) => spawnSync(name, ["-c", "import django"]).status === 0);
const skip = python ? false : "Django is missing: install python3-django";
if (skip) console.log(`Not tested: mail by Django (${skip}).`);

let home;
let sink;

before(async () => {
  home = mkdtempSync(path.join(os.tmpdir(), "clickproof-mail-"));
  process.env.PATH = `${path.dirname(buildClickproof())}${path.delimiter}${process.env.PATH}`;
  process.env.LINK_KEYS = KEYS;
  sink = await startSink();
}, SLOW);

after(async () => {
  await sink?.close();
  rmSync(home, { recursive: true, force: true });
});

/** The mail without soft breaks, after what every copy must show. */
function assertRewritten(mail) {
  const text = mail.toString().replace(/=\r\n/g, "");
  assert.match(
    text,
    /^List-Unsubscribe:\s+<https:\/\/click\.brand\.example\/u\/[\w-]+>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n/m,
  );
  assert.doesNotMatch(text, /X-Clickproof/i);
  assert.equal(text.match(/https:\/\/click\.brand\.example\/c\/[\w-]+/g).length, 2);
  assert.doesNotMatch(text, /brand\.example\/spring/);
  return text;
}

test("Nodemailer sends what the filter writes, signed after it", SLOW, async () => {
  const file = path.join(home, "clickproof.mjs");
  writeFileSync(file, blocks("Nodemailer")[0]);
  const { clickproof } = await import(pathToFileURL(file));
  const nodemailer = createRequire(import.meta.url)("nodemailer");
  const keys = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: sink.port,
    ignoreTLS: true,
    dkim: {
      domainName: "brand.example",
      keySelector: "s1",
      privateKey: keys.privateKey,
      headerFieldNames: SIGNED,
    },
  });
  transport.use("stream", clickproof);
  const mail = {
    from: "news@brand.example",
    to: "reader@reader.example",
    subject: "Grüße",
    text: "Spring: https://brand.example/spring?a=1&b=2\n",
    html: HTML,
  };
  await transport.sendMail({ ...mail, headers: IDS });
  const text = assertRewritten((await sink.next()).mail);
  const [, fields] = /^DKIM-Signature:[^]*?\bh=([^;]*);/m.exec(text);
  assert.match(fields.replace(/\s/g, ""), /list-unsubscribe:list-unsubscribe-post/i);

  await assert.rejects(transport.sendMail(mail), /the mail has no X-Clickproof-Message/);
  transport.close();
});

test("Django sends what the filter writes, and nothing that it refuses", { skip, ...SLOW }, async () => {
  writeFileSync(path.join(home, "mailer.py"), blocks("Django")[0]);
  const script = [
    "import json, sys",
    "from django.conf import settings",
    "settings.configure(EMAIL_BACKEND='mailer.ClickproofBackend', EMAIL_HOST='127.0.0.1', EMAIL_PORT=int(sys.argv[1]))",
    "from django.core.mail import EmailMultiAlternatives",
    "mail = EmailMultiAlternatives('Grüße', 'Spring: https://brand.example/spring?a=1&b=2\\n', 'news@brand.example',",
    "    ['reader@reader.example'], headers=json.loads(sys.argv[2]))",
    "mail.attach_alternative(sys.argv[3], 'text/html')",
    "mail.send()",
  ];
  const send = (ids) => {
    const args = ["-c", script.join("\n"), String(sink.port), JSON.stringify(ids), HTML];
    return new Promise((done) => {
      const child = spawn(python, args, { cwd: home });
      let said = "";
      child.stderr.on("data", (text) => (said += text));
      child.on("close", (status) => done({ status, said }));
    });
  };
  const { status, said } = await send(IDS);
  assert.equal(status, 0, said);
  assertRewritten((await sink.next()).mail);
  const refused = await send({});
  assert.notEqual(refused.status, 0);
  assert.match(refused.said, /the mail has no X-Clickproof-Message/);
});

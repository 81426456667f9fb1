// A mail through Postfix with the filter of `static/docs/sending.md`: it arrives rewritten, and signed after that.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KEYS, buildClickproof } from "./page.mjs";
import { isSigned, missing, startPostfix } from "./postfix.mjs";
import { send, startSink } from "./smtp.mjs";

const SLOW = { timeout: 120_000 };

const skip = await missing();
if (skip) console.log(`Not tested: mail through Postfix (${skip}).`);

const mail = (fields, boundary = "b") => `From: Brand <news@brand.example>
To: Reader <reader@reader.example>
Subject: Gr=?utf-8?q?=C3=BC?=e
Date: Sun, 22 Nov 2026 12:00:00 +0000
MIME-Version: 1.0
${fields}Content-Type: multipart/alternative; boundary=${boundary}

--${boundary}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße: https://brand.example/spring?a=1&b=2
.
--${boundary}
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><body>Gr=C3=BC=C3=9Fe <a href=3D"https://brand.example/spring?a=3D1&=
amp;b=3D2">Spring</a></body></html>
--${boundary}--
`;
const IDS = "X-Clickproof-Message: spring\nX-Clickproof-Recipient: r1\n";

let sink;
let postfix;

before(async () => {
  if (skip) return;
  sink = await startSink();
  postfix = await startPostfix(sink.port, buildClickproof(), KEYS);
}, SLOW);

after(async () => {
  await postfix?.close();
  await sink?.close();
});

test(
  "a mail arrives rewritten, with both unsubscribe fields, and signed after that",
  { skip, ...SLOW },
  async () => {
    await send(postfix.port, "news@brand.example", "reader@reader.example", mail(IDS));
    const { from, to, mail: arrived } = await sink.next();
    assert.deepEqual([from, to], ["news@brand.example", ["reader@reader.example"]], `${arrived}`);
    const text = arrived.toString();
    const unsubscribe =
      /^List-Unsubscribe:\s+<https:\/\/click\.brand\.example\/u\/[\w-]+>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n/m;
    assert.match(text, unsubscribe);
    assert.doesNotMatch(text, /X-Clickproof/i);
    const links = text.replace(/=\r\n/g, "").match(/https:\/\/click\.brand\.example\/c\/[\w-]+/g);
    assert.equal(links.length, 2);
    assert.equal(new Set(links).size, 1, "the text has the HTML's link");
    const whole = text.replace(/\r\n/g, "\n").replace(/=\n/g, "").replaceAll(links[0], "URL");
    assert.match(whole, /\nGrüße: URL\n\.\n--b\n/);
    assert.match(
      whole,
      /\n<html><body>Gr=C3=BC=C3=9Fe <a href=3D"URL">Spring<\/a><img [^>]*><\/body><\/html>\n--b--\n/,
    );

    const signed = /^DKIM-Signature:[^]*?\bh=([^;]*);/m
      .exec(text)[1]
      .toLowerCase()
      .replace(/\s/g, "")
      .split(":");
    for (const field of ["list-unsubscribe", "list-unsubscribe-post", "from"])
      assert.ok(signed.includes(field), field);
    assert.ok(isSigned(arrived, postfix.record));
    const harmed = Buffer.from(text.replace("/u/", "/x/"));
    assert.ok(!isSigned(harmed, postfix.record), "the signature covers where the button leads");
  },
);

test("a mail that says of nobody whose copy it is goes back to its sender", { skip, ...SLOW }, async () => {
  await send(postfix.port, "news@brand.example", "reader@reader.example", mail(""));
  const { from, to, mail: bounce } = await sink.next();
  assert.deepEqual([from, to], ["", ["news@brand.example"]]);
  assert.match(bounce.toString(), /the mail has no X-Clickproof-Message/);
});

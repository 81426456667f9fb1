<?php

/**
 * Mints Clickproof's links: PHP 8.0 or later on 64 bits, no dependency, this one file.
 *
 *     require 'clickproof.php';
 *
 *     $minter = new Clickproof\Minter(getenv('LINK_KEYS'), 'https://click.brand.example');
 *     $copy = ['message_id' => 'spring', 'recipient_id' => 'r1', 'sent_at_ms' => 1795348800000, 'links_total' => 1];
 *     $minter->click($copy, 'cta', 'https://brand.example/landing'); // https://click.brand.example/c/…
 *     $minter->open($copy, 'pixel'); // the src of an image
 *     Clickproof\unsubscribe_headers($minter->unsubscribe($copy, 'stop')); // both must be signed by DKIM
 *
 * A copy is one recipient's mail. `links_total` counts its click links; `group` may be left out. Ids are never mail
 * addresses. What cannot be minted throws an InvalidArgumentException that names the field: a bad link would stay dead in
 * its mailbox. Whoever has LINK_KEYS can make links that your click domain redirects from: only what sends mail may hold it.
 */

declare(strict_types=1);

namespace Clickproof;

use InvalidArgumentException;

const KINDS = ['click' => [0, 'c'], 'open' => [1, 'o'], 'unsubscribe' => [2, 'u'], 'confirm' => [3, 'u']];
const SCHEMES = ['', 'http://', 'https://'];
const ID = '/\A[A-Za-z0-9._~-]{1,64}\z/';
const MESSAGE_ID = '/\A(?!\.{1,2}\z)[A-Za-z0-9._~@+=$!:-]{1,128}\z/';
const UUID = '/\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/';
const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const NAME = '(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*\.?';
// Stricter than the Worker: no IPv6, no escapes in the host. What it takes, browsers and the Worker take.
const URL = '~\Ahttps?://(?:' . NAME . '|' . BYTE . '(?:\.' . BYTE . '){3})(?::([0-9]{0,5}))?(?:[/?#][!-\~]*)?\z~';

/** Mints links of one click domain. */
final class Minter
{
    private string $kid;
    private string $key;
    private string $base;

    /** `$keys` is LINK_KEYS (kid:base64,…; the first signs), `$base_url` scheme and host. */
    public function __construct(string $keys, string $base_url)
    {
        [$this->kid, $this->key] = signing_key($keys);
        $this->base = rtrim(checked_url('base_url', $base_url), '/');
        if (strpbrk(explode('://', $this->base)[1], '/?#') !== false) {
            throw new InvalidArgumentException(
                'base_url: must be scheme and host alone, such as https://click.brand.example');
        }
    }

    /** A link to `$url`, byte for byte. */
    public function click(array $copy, mixed $link_id, mixed $url): string
    {
        return $this->href('click', $copy, $link_id, checked_url('url', $url));
    }

    /** An image that tells of the mail's opening. */
    public function open(array $copy, mixed $link_id): string
    {
        return $this->href('open', $copy, $link_id, '');
    }

    /** A page with a button that unsubscribes, and what mail providers post to. */
    public function unsubscribe(array $copy, mixed $link_id): string
    {
        return $this->href('unsubscribe', $copy, $link_id, '');
    }

    /** A page with a button that confirms, then leads to `$url` where one is given. */
    public function confirm(array $copy, mixed $link_id, mixed $url = null): string
    {
        return $this->href('confirm', $copy, $link_id, $url === null ? '' : checked_url('url', $url));
    }

    private function href(string $kind, array $copy, mixed $link_id, string $url): string
    {
        [$number, $route] = KINDS[$kind];
        $group = $copy['group'] ?? null;
        $scheme = str_starts_with($url, 'https://') ? 2 : (int) str_starts_with($url, 'http://');
        $body = chr($group === null ? 1 : 2) . chr($number | $scheme << 2) . chr(strlen($this->kid)) . $this->kid
            . varint('shards', $copy['shards'] ?? 1, 1, 257)
            . varint('links_total', $copy['links_total'] ?? null, 0, 2 ** 32)
            . varint('sent_at_ms', $copy['sent_at_ms'] ?? null, 946684800000, 4133980800000)
            . packed('message_id', $copy['message_id'] ?? null, MESSAGE_ID)
            . packed('recipient_id', $copy['recipient_id'] ?? null, ID) . packed('link_id', $link_id, ID)
            . ($group === null ? '' : packed('group', $group, ID)) . substr($url, strlen(SCHEMES[$scheme]));
        $mac = substr(hash_hmac('sha256', $body, $this->key, true), 0, 16);
        return "$this->base/$route/" . rtrim(strtr(base64_encode($body . $mac), '+/', '-_'), '=');
    }
}

/** The header fields of one-click unsubscription (RFC 8058) for an unsubscribe link. */
function unsubscribe_headers(string $href): array
{
    return ['List-Unsubscribe' => "<$href>", 'List-Unsubscribe-Post' => 'List-Unsubscribe=One-Click'];
}

function signing_key(string $keys): array
{
    $found = [];
    foreach (explode(',', $keys) as $entry) {
        [$kid, $text] = explode(':', trim($entry), 2) + [1 => ''];
        $secret = (string) base64_decode(strtr($text, '-_', '+/'));
        // With a prefix: PHP makes integers of keys such as 1.
        if (!preg_match('/\A[A-Za-z0-9._-]{1,16}\z/', $kid) || isset($found["k$kid"]) || strlen($secret) < 32) {
            throw new InvalidArgumentException(
                'LINK_KEYS: must be kid:base64,… of different ids and at least 32 bytes each');
        }
        $padded = base64_encode($secret);
        $spellings = [$padded, rtrim($padded, '='), strtr($padded, '+/', '-_'), rtrim(strtr($padded, '+/', '-_'), '=')];
        if (!in_array($text, $spellings, true)) {
            throw new InvalidArgumentException("LINK_KEYS: key $kid is not base64");
        }
        $found["k$kid"] = [$kid, hash_hmac('sha256', "clickproof token 1\1", $secret, true)];
    }
    return reset($found);
}

function checked_url(string $field, mixed $url): string
{
    if (!is_string($url) || strlen($url) > 4096 || !preg_match(URL, $url, $match) || (int) ($match[1] ?? 0) > 65535) {
        throw new InvalidArgumentException("$field: must be http:// or https:// in lower case, a host name in ASCII without "
            . 'user info, and printable ASCII (percent-encode the rest), at most 4096 bytes');
    }
    return $url;
}

function varint(string $field, mixed $number, int $least, int $end): string
{
    if (!is_int($number) || $number < $least || $number >= $end) {
        throw new InvalidArgumentException(
            "$field: must be a whole number from $least to " . ($end - 1) . ' (times: Unix milliseconds)');
    }
    for ($bytes = ''; $number > 0x7f; $number >>= 7) {
        $bytes .= chr($number & 0x7f | 0x80);
    }
    return $bytes . chr($number);
}

function packed(string $field, mixed $text, string $rule): string
{
    if (!is_string($text) || !preg_match($rule, $text)) {
        throw new InvalidArgumentException("$field: must match $rule");
    }
    // A lower-case UUID has no other spelling than its 16 bytes.
    return preg_match(UUID, $text) ? "\0" . hex2bin(str_replace('-', '', $text)) : chr(strlen($text)) . $text;
}

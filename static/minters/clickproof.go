// Package clickproof mints Clickproof's links: Go 1.18 or later, no dependency, this one file.
//
//	minter, err := clickproof.NewMinter(os.Getenv("LINK_KEYS"), "https://click.brand.example")
//	mail := clickproof.Copy{MessageID: "spring", RecipientID: "r1", SentAtMs: time.Now().UnixMilli(), LinksTotal: 1}
//	href, err := minter.Click(mail, "cta", "https://brand.example/landing") // https://click.brand.example/c/…
//	pixel, err := minter.Open(mail, "pixel")                                // the src of an image
//	stop, err := minter.Unsubscribe(mail, "stop")
//	headers := clickproof.UnsubscribeHeaders(stop) // both must be signed by DKIM
//
// What cannot be minted gives an error that names the field: a bad link would stay dead in its mailbox. Whoever has LINK_KEYS
// can make links that your click domain redirects from: only what sends mail may hold it.
package clickproof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	octet = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	name  = `(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*\.?`
)

var (
	kidForm       = regexp.MustCompile(`\A[A-Za-z0-9._-]{1,16}\z`)
	idForm        = regexp.MustCompile(`\A[A-Za-z0-9._~-]{1,64}\z`)
	messageIDForm = regexp.MustCompile(`\A[A-Za-z0-9._~@+=$!:-]{1,128}\z`)
	uuidForm      = regexp.MustCompile(`\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`)
	// Stricter than the Worker: no IPv6, no escapes in the host. What it takes, browsers and the Worker take.
	urlForm = regexp.MustCompile(
		`\Ahttps?://(?:` + name + `|` + octet + `(?:\.` + octet + `){3})(?::([0-9]{0,5}))?(?:[/?#][!-~]*)?\z`)
)

// Copy is one recipient's mail. Ids are never mail addresses.
type Copy struct {
	MessageID   string `json:"message_id"`
	RecipientID string `json:"recipient_id"`
	SentAtMs    int64  `json:"sent_at_ms"`  // Unix milliseconds
	LinksTotal  uint32 `json:"links_total"` // its click links
	Group       string `json:"group"`       // empty: none
	Shards      uint32 `json:"shards"`      // the same for all copies of a message, at most 256; 0: 1
}

// Minter mints links of one click domain.
type Minter struct {
	kid, base string
	key       []byte
}

// NewMinter takes LINK_KEYS (kid:base64,…; the first signs), and scheme and host of the click domain.
func NewMinter(keys, baseURL string) (*Minter, error) {
	minter, err := signingKey(keys)
	if err == nil {
		err = checkURL("base_url", baseURL)
	}
	if err != nil {
		return nil, err
	}
	minter.base = strings.TrimRight(baseURL, "/")
	if strings.ContainsAny(strings.SplitN(minter.base, "://", 2)[1], "/?#") {
		return nil, fmt.Errorf("base_url: must be scheme and host alone, such as https://click.brand.example")
	}
	return minter, nil
}

// Click gives a link to url, byte for byte.
func (m *Minter) Click(mail Copy, linkID, url string) (string, error) {
	if err := checkURL("url", url); err != nil {
		return "", err
	}
	return m.href(0, "c", mail, linkID, url)
}

// Open gives an image that tells of the mail's opening.
func (m *Minter) Open(mail Copy, linkID string) (string, error) {
	return m.href(1, "o", mail, linkID, "")
}

// Unsubscribe gives a page with a button that unsubscribes, and what mail providers post to.
func (m *Minter) Unsubscribe(mail Copy, linkID string) (string, error) {
	return m.href(2, "u", mail, linkID, "")
}

// Confirm gives a page with a button that confirms, then leads to url unless that is empty.
func (m *Minter) Confirm(mail Copy, linkID, url string) (string, error) {
	if url != "" {
		if err := checkURL("url", url); err != nil {
			return "", err
		}
	}
	return m.href(3, "u", mail, linkID, url)
}

// UnsubscribeHeaders gives the header fields of one-click unsubscription (RFC 8058) for an unsubscribe link.
func UnsubscribeHeaders(href string) map[string]string {
	return map[string]string{"List-Unsubscribe": "<" + href + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
}

func (m *Minter) href(kind byte, route string, mail Copy, linkID, url string) (string, error) {
	if mail.SentAtMs < 946684800000 || mail.SentAtMs >= 4133980800000 {
		return "", fmt.Errorf("sent_at_ms: must be Unix milliseconds from 2000 to 2100, not %d", mail.SentAtMs)
	}
	// The paths of URLs drop these two.
	if mail.MessageID == "." || mail.MessageID == ".." {
		return "", fmt.Errorf("message_id: must be another than %q, which no path can hold", mail.MessageID)
	}
	shards := mail.Shards
	if shards == 0 {
		shards = 1
	}
	if shards > 256 {
		return "", fmt.Errorf("shards: must be from 1 to 256, not %d", shards)
	}
	version, scheme, rest := byte(1), byte(0), url
	for at, prefix := range []string{"http://", "https://"} {
		if strings.HasPrefix(url, prefix) {
			scheme, rest = byte(at+1), url[len(prefix):]
		}
	}
	ids := []struct {
		field, text string
		form        *regexp.Regexp
	}{{"message_id", mail.MessageID, messageIDForm}, {"recipient_id", mail.RecipientID, idForm}, {"link_id", linkID, idForm}}
	if mail.Group != "" {
		version, ids = 2, append(ids, ids[2])
		ids[3].field, ids[3].text = "group", mail.Group
	}
	body := append([]byte{version, kind | scheme<<2, byte(len(m.kid))}, m.kid...)
	for _, number := range []uint64{uint64(shards), uint64(mail.LinksTotal), uint64(mail.SentAtMs)} {
		var bytes [binary.MaxVarintLen64]byte
		body = append(body, bytes[:binary.PutUvarint(bytes[:], number)]...)
	}
	for _, id := range ids {
		if !id.form.MatchString(id.text) {
			return "", fmt.Errorf("%s: must match %s", id.field, id.form)
		}
		if uuidForm.MatchString(id.text) {
			// A lower-case UUID has no other spelling than its 16 bytes.
			packed, _ := hex.DecodeString("00" + strings.ReplaceAll(id.text, "-", ""))
			body = append(body, packed...)
		} else {
			body = append(append(body, byte(len(id.text))), id.text...)
		}
	}
	body = append(body, rest...)
	body = append(body, mac(m.key, body)[:16]...)
	return m.base + "/" + route + "/" + base64.RawURLEncoding.EncodeToString(body), nil
}

func signingKey(keys string) (*Minter, error) {
	var minter *Minter
	seen := map[string]bool{}
	for _, entry := range strings.Split(keys, ",") {
		kid, text, _ := strings.Cut(strings.TrimSpace(entry), ":")
		var secret []byte
		for _, encoding := range []*base64.Encoding{
			base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
		} {
			if decoded, err := encoding.Strict().DecodeString(text); err == nil {
				secret = decoded
			}
		}
		if !kidForm.MatchString(kid) || seen[kid] || len(secret) < 32 || strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("LINK_KEYS: must be kid:base64,… of different ids and at least 32 bytes each")
		}
		seen[kid] = true
		if minter == nil {
			minter = &Minter{kid: kid, key: mac(secret, []byte("clickproof token 1\x01"))}
		}
	}
	return minter, nil
}

func checkURL(field, url string) error {
	match := urlForm.FindStringSubmatch(url)
	if match != nil && len(url) <= 4096 {
		if port, _ := strconv.Atoi("0" + match[1]); port <= 65535 {
			return nil
		}
	}
	return fmt.Errorf("%s: must be http:// or https:// in lower case, a host name in ASCII without user info, and printable "+
		"ASCII (percent-encode the rest), at most 4096 bytes", field)
}

func mac(key, bytes []byte) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write(bytes)
	return hash.Sum(nil)
}

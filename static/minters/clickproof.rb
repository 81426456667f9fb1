# frozen_string_literal: true

# Mints Clickproof's links: Ruby 2.7 or later, no dependency, this one file.
#
#     require_relative "clickproof"
#
#     minter = Clickproof::Minter.new(ENV["LINK_KEYS"], "https://click.brand.example")
#     copy = { message_id: "spring", recipient_id: "r1", sent_at_ms: 1_795_348_800_000, links_total: 1 }
#     minter.click(copy, "cta", "https://brand.example/landing") # https://click.brand.example/c/…
#     minter.open(copy, "pixel") # the src of an image
#     Clickproof.unsubscribe_headers(minter.unsubscribe(copy, "stop")) # both must be signed by DKIM
#
# A copy is one recipient's mail. `links_total` counts its click links; `group` may be left out. Ids are never mail addresses.
# What cannot be minted raises an ArgumentError that names the field: a bad link would stay dead in its mailbox. Whoever has
# LINK_KEYS can make links that your click domain redirects from: only what sends mail may hold it.

require "openssl"

module Clickproof
  KINDS = { click: [0, "c"], open: [1, "o"], unsubscribe: [2, "u"], confirm: [3, "u"] }.freeze
  SCHEMES = ["", "http://", "https://"].freeze
  ID = /\A[A-Za-z0-9._~-]{1,64}\z/
  MESSAGE_ID = /\A(?!\.{1,2}\z)[A-Za-z0-9._~@+=$!:-]{1,128}\z/
  UUID = /\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/
  BYTE = /(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])/
  NAME = /(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*\.?/
  # Stricter than the Worker: no IPv6, no escapes in the host. What it takes, browsers and the Worker take.
  URL = %r{\Ahttps?://(?:#{NAME}|#{BYTE}(?:\.#{BYTE}){3})(?::([0-9]{0,5}))?(?:[/?#][!-~]*)?\z}
  private_constant :KINDS, :SCHEMES, :ID, :MESSAGE_ID, :UUID, :BYTE, :NAME, :URL

  # Mints links of one click domain. `keys` is LINK_KEYS (kid:base64,…; the first signs), `base_url` scheme and host.
  class Minter
    def initialize(keys, base_url)
      @kid, @key = signing_key(keys)
      @base = checked_url("base_url", base_url).sub(%r{/+\z}, "")
      return unless @base.split("://")[1].match?(%r{[/?#]})

      raise ArgumentError, "base_url: must be scheme and host alone, such as https://click.brand.example"
    end

    # A link to `url`, byte for byte.
    def click(copy, link_id, url)
      href(:click, copy, link_id, checked_url("url", url))
    end

    # An image that tells of the mail's opening.
    def open(copy, link_id)
      href(:open, copy, link_id, "")
    end

    # A page with a button that unsubscribes, and what mail providers post to.
    def unsubscribe(copy, link_id)
      href(:unsubscribe, copy, link_id, "")
    end

    # A page with a button that confirms, then leads to `url` where one is given.
    def confirm(copy, link_id, url = nil)
      href(:confirm, copy, link_id, url.nil? ? "" : checked_url("url", url))
    end

    private

    def href(kind, copy, link_id, url)
      number, route = KINDS[kind]
      scheme = SCHEMES.rindex { |prefix| url.start_with?(prefix) }
      group = copy[:group]
      body = [group.nil? ? 1 : 2, number | scheme << 2, @kid.length].pack("C*") + @kid.b
      body << varint("shards", copy.fetch(:shards, 1), 1, 257)
      body << varint("links_total", copy[:links_total], 0, 2**32)
      body << varint("sent_at_ms", copy[:sent_at_ms], 946_684_800_000, 4_133_980_800_000)
      body << packed("message_id", copy[:message_id], MESSAGE_ID)
      body << packed("recipient_id", copy[:recipient_id], ID) << packed("link_id", link_id, ID)
      body << packed("group", group, ID) unless group.nil?
      body << url.delete_prefix(SCHEMES[scheme]).b
      mac = OpenSSL::HMAC.digest("SHA256", @key, body)[0, 16]
      "#{@base}/#{route}/#{[body + mac].pack("m0").tr("+/", "-_").delete("=")}"
    end

    def signing_key(keys)
      # With a comma more: Ruby splits nothing into no parts, and the minter wants to see an empty one.
      found = "#{keys},".split(",", -1)[0..-2].each_with_object({}) do |entry, seen|
        kid, _, text = entry.strip.partition(":")
        secret = text.tr("-_", "+/").unpack1("m")
        unless kid.match?(/\A[A-Za-z0-9._-]{1,16}\z/) && !seen.key?(kid) && secret.bytesize >= 32
          raise ArgumentError, "LINK_KEYS: must be kid:base64,… of different ids and at least 32 bytes each"
        end

        padded = [secret].pack("m0")
        spellings = [padded, padded.tr("+/", "-_")].flat_map { |spelling| [spelling, spelling.delete("=")] }
        raise ArgumentError, "LINK_KEYS: key #{kid} is not base64" unless spellings.include?(text)

        seen[kid] = OpenSSL::HMAC.digest("SHA256", secret, "clickproof token 1\x01")
      end
      found.first
    end

    def checked_url(field, url)
      match = url.is_a?(String) && url.ascii_only? && url.length <= 4096 && URL.match(url)
      return url if match && match[1].to_i <= 65_535

      raise ArgumentError, "#{field}: must be http:// or https:// in lower case, a host name in ASCII without user info, " \
                           "and printable ASCII (percent-encode the rest), at most 4096 bytes"
    end

    def varint(field, number, least, limit)
      unless number.is_a?(Integer) && number >= least && number < limit
        raise ArgumentError, "#{field}: must be a whole number from #{least} to #{limit - 1} (times: Unix milliseconds)"
      end

      *others, last = number.digits(128)
      [*others.map { |group| group | 0x80 }, last].pack("C*")
    end

    def packed(field, text, rule)
      unless text.is_a?(String) && text.ascii_only? && text.match?(rule)
        raise ArgumentError, "#{field}: must match #{rule.source}"
      end

      # A lower-case UUID has no other spelling than its 16 bytes.
      text.match?(UUID) ? "\0".b + [text.delete("-")].pack("H*") : [text.length].pack("C") + text.b
    end
  end

  # The header fields of one-click unsubscription (RFC 8058) for an unsubscribe link.
  def self.unsubscribe_headers(href)
    { "List-Unsubscribe" => "<#{href}>", "List-Unsubscribe-Post" => "List-Unsubscribe=One-Click" }
  end
end

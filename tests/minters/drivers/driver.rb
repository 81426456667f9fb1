# Mints what lines of stdin ask for, with the minter of the directory that is given, and answers each with a line.

require "json"
require "#{ARGV.shift}/clickproof"

$stdin.set_encoding("UTF-8")
$stdin.each_line do |line|
  ask = JSON.parse(line)
  answer =
    begin
      minter = Clickproof::Minter.new(ask["keys"], ask["base_url"])
      rest = ask.key?("url") ? [ask["url"]] : []
      href = minter.public_send(ask["kind"], ask["copy"].transform_keys(&:to_sym), ask["link_id"], *rest)
      { href: href, headers: Clickproof.unsubscribe_headers(href) }
    rescue ArgumentError => e
      { error: e.message }
    end
  puts JSON.generate(answer)
end

# Verifies a token for each question on standard input, and prints the result. The library does not fetch
# keys: this does, and again for an unknown `kid`.
require 'json'
require 'jwt'
require 'net/http'

key_sets = {}
$stdout.sync = true
$stdin.each_line do |line|
  question = JSON.parse(line)
  url = question['jwks']
  fetched = lambda do |options|
    key_sets.delete(url) if options[:kid_not_found]
    key_sets[url] ||= JSON.parse(Net::HTTP.get(URI(url)))
  end
  expected = {
    algorithms: question['algorithms'], jwks: fetched,
    iss: question['issuer'], verify_iss: true, aud: question['audience'], verify_aud: true
  }
  answer =
    begin
      { claims: JWT.decode(question['token'], nil, true, expected).first }
    rescue JWT::DecodeError, JWT::JWKError => e
      { refused: e.class.name }
    end
  puts answer.to_json
end

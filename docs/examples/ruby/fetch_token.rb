# Fetches a token. `latchkey tenant add --snippet ruby` prints the lines between the two marks with the tenant's own values.
# snippet
require 'json'
require 'net/http'

answer = Net::HTTP.post_form(
  URI('http://localhost:3000/api/v1/tenant/globex/oauth/token'),
  'grant_type' => 'client_credentials',
  'client_id' => 'shipping',
  'client_secret' => ENV.fetch('CLIENT_SECRET')
)
raise answer.body unless answer.is_a?(Net::HTTPSuccess)

access_token = JSON.parse(answer.body)['access_token']
# end of snippet

api = URI('http://localhost:3000/api/v1/protected-resource')
puts Net::HTTP.get(api, 'Authorization' => "Bearer #{access_token}")

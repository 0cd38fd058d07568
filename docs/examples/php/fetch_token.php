<?php
// Fetches a token. `latchkey tenant add --snippet php` prints the lines between the two marks with the tenant's own values.
// snippet
$request = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => 'Content-Type: application/x-www-form-urlencoded',
    'content' => http_build_query([
        'grant_type' => 'client_credentials',
        'client_id' => 'shipping',
        'client_secret' => getenv('CLIENT_SECRET'),
    ]),
    'ignore_errors' => true,
    'timeout' => 10,
]]);
$answer = file_get_contents('http://localhost:3000/api/v1/tenant/globex/oauth/token', false, $request);
$access_token = json_decode($answer)->access_token ?? throw new RuntimeException($answer);
// end of snippet

$call = stream_context_create(['http' => ['header' => "Authorization: Bearer $access_token", 'timeout' => 10]]);
echo file_get_contents('http://localhost:3000/api/v1/protected-resource', false, $call), "\n";

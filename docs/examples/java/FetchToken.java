// Fetches a token. `latchkey tenant add --snippet java` prints the lines between the two marks with the tenant's own values.
import java.io.*;
import java.net.*;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

class FetchToken {
    public static void main(String[] arguments) throws Exception {
        // snippet
        // In a method that throws Exception, of a file that imports java.io.*, java.net.*, java.net.http.*,
        // java.nio.charset.StandardCharsets and java.util.regex.Pattern. A library of JSON can take the place of the pattern.
        var form = "grant_type=client_credentials"
            + "&client_id=" + URLEncoder.encode("shipping", StandardCharsets.UTF_8)
            + "&client_secret=" + URLEncoder.encode(System.getenv("CLIENT_SECRET"), StandardCharsets.UTF_8);
        var request = HttpRequest.newBuilder(URI.create("http://localhost:3000/api/v1/tenant/globex/oauth/token"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form))
            .build();
        var http = HttpClient.newHttpClient();
        var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        var found = Pattern.compile("\"access_token\":\"([^\"]+)\"").matcher(answer.body());
        if (!found.find()) throw new IOException(answer.body());
        var accessToken = found.group(1);
        // end of snippet

        var call = HttpRequest.newBuilder(URI.create("http://localhost:3000/api/v1/protected-resource"))
            .header("Authorization", "Bearer " + accessToken)
            .build();
        System.out.println(http.send(call, HttpResponse.BodyHandlers.ofString()).body());
    }
}

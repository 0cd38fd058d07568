// Parses metadata with the schemas of the MCP SDK, and prints the parsed members of each document.
import { OAuthMetadataSchema, OpenIdProviderDiscoveryMetadataSchema } from "@modelcontextprotocol/sdk/shared/auth.js";

const read = JSON.parse(process.env.DOCUMENTS).map(({ name, document }) => {
  const schema = name === "openid-configuration" ? OpenIdProviderDiscoveryMetadataSchema : OAuthMetadataSchema;
  const { issuer, authorization_endpoint, token_endpoint, response_types_supported } = schema.parse(document);
  const without = schema.safeParse({ ...document, authorization_endpoint: undefined }).success;
  return { issuer, authorization_endpoint, token_endpoint, response_types_supported, without };
});
console.log(JSON.stringify(read));

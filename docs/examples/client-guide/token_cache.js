class TokenCache {
  constructor() {
    this.token = null;
    this.expiresAt = null;
  }
  
  async getToken() {
    // Check if cached token is still valid
    if (this.token && this.expiresAt > Date.now()) {
      return this.token;
    }
    
    // Request new token
    const response = await getClientCredentialsToken();
    
    // Cache with buffer (expire 5 minutes early)
    this.token = response.access_token;
    this.expiresAt = Date.now() + ((response.expires_in - 300) * 1000);
    
    return this.token;
  }
  
  invalidate() {
    this.token = null;
    this.expiresAt = null;
  }
}

// Usage
const tokenCache = new TokenCache();

async function makeAPICall() {
  const token = await tokenCache.getToken();
  return callProtectedAPI(token);
}

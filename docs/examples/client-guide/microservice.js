const axios = require('axios');

class OAuth2Client {
  constructor(config) {
    this.config = config;
    this.token = null;
    this.expiresAt = null;
  }
  
  async getToken() {
    // Return cached token if still valid
    if (this.token && this.expiresAt > Date.now() + 300000) {
      return this.token;
    }
    
    // Request new token
    const params = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: this.config.clientId,
      client_secret: this.config.clientSecret,
      scope: this.config.scope
    });
    
    const response = await axios.post(
      this.config.tokenUrl,
      params,
      { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
    );
    
    this.token = response.data.access_token;
    this.expiresAt = Date.now() + (response.data.expires_in * 1000);
    
    return this.token;
  }
  
  async makeAuthenticatedRequest(url, options = {}) {
    const token = await this.getToken();
    
    return axios({
      ...options,
      url,
      headers: {
        ...options.headers,
        'Authorization': `Bearer ${token}`
      }
    });
  }
}

// Usage
const client = new OAuth2Client({
  tokenUrl: 'http://localhost:8080/oauth/token',
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
  scope: 'read write'
});

// Make authenticated requests
async function fetchData() {
  const response = await client.makeAuthenticatedRequest(
    'https://api.example.com/data'
  );
  return response.data;
}

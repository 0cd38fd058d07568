import requests
import os

def get_client_credentials_token():
    url = 'http://localhost:8080/oauth/token'
    
    data = {
        'grant_type': 'client_credentials',
        'client_id': os.environ['CLIENT_ID'],
        'client_secret': os.environ['CLIENT_SECRET'],
        'scope': 'read write'
    }
    
    response = requests.post(url, data=data)
    response.raise_for_status()
    
    return response.json()

# Usage
if __name__ == '__main__':
    tokens = get_client_credentials_token()
    print(f"Access Token: {tokens['access_token']}")
    print(f"Expires in: {tokens['expires_in']} seconds")

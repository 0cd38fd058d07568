import time
import threading
from datetime import datetime, timedelta

class TokenManager:
    def __init__(self):
        self.token = None
        self.expires_at = None
        self.lock = threading.Lock()
        
    def get_token(self):
        with self.lock:
            # Check if token needs refresh (5 min buffer)
            if not self.token or datetime.now() >= self.expires_at - timedelta(minutes=5):
                self._refresh_token()
            
            return self.token
    
    def _refresh_token(self):
        response = get_client_credentials_token()
        self.token = response['access_token']
        self.expires_at = datetime.now() + timedelta(seconds=response['expires_in'])

# Usage
token_manager = TokenManager()

def make_api_call():
    token = token_manager.get_token()
    return call_protected_api(token)

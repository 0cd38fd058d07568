def call_protected_api(access_token):
    headers = {
        'Authorization': f'Bearer {access_token}'
    }
    
    response = requests.get(
        'https://api.example.com/api/resource',
        headers=headers
    )
    response.raise_for_status()
    
    return response.json()

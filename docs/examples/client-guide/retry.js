async function apiCallWithRetry(url, maxRetries = 1) {
  let retries = 0;
  
  while (retries <= maxRetries) {
    try {
      const token = await tokenCache.getToken();
      const response = await fetch(url, {
        headers: { 'Authorization': `Bearer ${token}` }
      });
      
      if (response.status === 401 && retries < maxRetries) {
        // Token might be expired, invalidate cache and retry
        tokenCache.invalidate();
        retries++;
        continue;
      }
      
      if (!response.ok) {
        throw new Error(`API error: ${response.status}`);
      }
      
      return await response.json();
      
    } catch (error) {
      if (retries >= maxRetries) {
        throw error;
      }
      retries++;
    }
  }
}

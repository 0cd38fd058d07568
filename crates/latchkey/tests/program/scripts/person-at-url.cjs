// Signs a person in at the URL of a client's request, and prints the URL of the answer.
browser()
  .signIn(process.env.URL)
  .then((back) => console.log(back.href));

// Signs a person in at the address of a client's request, and prints the address of the answer.
browser()
  .signIn(process.env.URL)
  .then((back) => console.log(back.href));

"""What can an operator ask for? One file per command; each is imported only when it is called or asked about."""

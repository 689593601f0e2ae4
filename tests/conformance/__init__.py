"""Do the libraries and clients of others agree with the app and with local Studio?"""

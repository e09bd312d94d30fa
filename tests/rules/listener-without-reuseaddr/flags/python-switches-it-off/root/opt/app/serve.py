from http.server import HTTPServer, SimpleHTTPRequestHandler


class Server(HTTPServer):
    allow_reuse_address = False


Server(("", 7000), SimpleHTTPRequestHandler).serve_forever()

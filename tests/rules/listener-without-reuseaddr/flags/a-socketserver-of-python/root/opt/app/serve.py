import socketserver


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        pass


with socketserver.TCPServer(("127.0.0.1", 7001), Echo) as server:
    server.serve_forever()

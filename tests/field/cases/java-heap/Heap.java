import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Arrays;

/** Makes 4 GB of garbage: it lives if the heap's limit is that of the silo. */
public class Heap {
  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 8080), 0);
    server.createContext("/heap", asked -> send(asked, "" + Runtime.getRuntime().maxMemory()));
    server.createContext("/", asked -> {
      ArrayDeque<byte[]> kept = new ArrayDeque<>();
      for (int number = 0; number < 4000; number++) {
        byte[] piece = new byte[1 << 20];
        Arrays.fill(piece, (byte) 1);
        kept.add(piece);
        if (kept.size() > 10) kept.poll();
      }
      send(asked, "done");
    });
    server.start();
  }

  static void send(HttpExchange asked, String text) throws IOException {
    byte[] body = text.getBytes();
    asked.sendResponseHeaders(200, body.length);
    asked.getResponseBody().write(body);
    asked.close();
  }
}

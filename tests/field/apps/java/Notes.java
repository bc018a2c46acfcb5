import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Executors;

/** A small Java program: notes on the tenant's disk, and answers of every kind. */
public class Notes {
  static final Path NOTES = Path.of(System.getenv("DATA_DIR"), "notes.txt");

  public static void main(String[] arguments) throws IOException {
    int port = Integer.parseInt(System.getenv("PORT"));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", Notes::answer);
    server.start();
  }

  static void answer(HttpExchange asked) throws IOException {
    byte[] body = asked.getRequestBody().readAllBytes();
    switch (asked.getRequestMethod() + " " + asked.getRequestURI().getPath()) {
      case "GET /" -> send(asked, 200, "hello from Java\n".getBytes());
      case "GET /big" -> send(asked, 200, "0123456789abcdef".repeat(8192).getBytes());
      case "GET /stream" -> stream(asked);
      case "POST /echo" -> send(asked, 200, body);
      case "GET /notes" -> send(asked, 200, Files.readAllBytes(NOTES));
      case "POST /notes" -> {
        Files.write(NOTES, body, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        send(asked, 204, new byte[0]);
      }
      default -> send(asked, 404, "no such page\n".getBytes());
    }
  }

  static void send(HttpExchange asked, int status, byte[] body) throws IOException {
    asked.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    asked.getResponseBody().write(body);
    asked.close();
  }

  static void stream(HttpExchange asked) throws IOException {
    asked.sendResponseHeaders(200, 0);
    try (OutputStream out = asked.getResponseBody()) {
      for (int number = 0; number < 20; ++number) {
        out.write(("piece " + number + "\n").getBytes());
        out.flush();
      }
    }
  }
}

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Receiver of confirmations on Java's HttpsServer, with a chunked body. Arguments: PKCS#12, its password, file for received messages
 * (one line each: id of the message, body in base64), file for the port.
 */
public final class Receiver {
    public static void main(String[] arguments) throws Exception {
        Path came = Path.of(arguments[2]);
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context(arguments[0], arguments[1].toCharArray())));
        server.createContext(
                "/",
                exchange -> {
                    byte[] body = exchange.getRequestBody().readAllBytes();
                    String id = exchange.getRequestHeaders().getFirst("webhook-id");
                    String line = id + " " + Base64.getEncoder().encodeToString(body) + "\n";
                    Files.writeString(came, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                    exchange.sendResponseHeaders(202, 0);
                    try (OutputStream answer = exchange.getResponseBody()) {
                        answer.write("received".getBytes(StandardCharsets.UTF_8));
                    }
                });
        server.start();
        Path ready = Path.of(arguments[3]);
        Path written = ready.resolveSibling(ready.getFileName() + ".new");
        Files.writeString(written, Integer.toString(server.getAddress().getPort()));
        Files.move(written, ready);
    }

    private static SSLContext context(String identity, char[] password) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(identity)) {
            keys.load(file, password);
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), null, null);
        return context;
    }
}

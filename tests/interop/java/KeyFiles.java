import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;

/** Writes key pairs like typical Java programs: {@code java KeyFiles.java FOLDER}. */
public final class KeyFiles {
    public static void main(String[] arguments) throws GeneralSecurityException, IOException {
        Path folder = Path.of(arguments[0]);
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        for (String name : new String[] {"encoder", "mime", "pem", "pkcs1-label", "der"}) {
            KeyPair pair = generator.generateKeyPair();
            byte[] key = pair.getPublic().getEncoded();
            Files.write(folder.resolve(name), switch (name) {
                case "encoder" -> Base64.getEncoder().encode(key);
                case "mime" -> Base64.getMimeEncoder().encode(key);
                case "pem" -> pem("PUBLIC KEY", key);
                // A common mistake: the label of PKCS#1 around another structure.
                case "pkcs1-label" -> pem("RSA PUBLIC KEY", key);
                default -> key;
            });
            Files.write(folder.resolve(name + ".pkcs8"), pair.getPrivate().getEncoded());
        }
    }

    private static byte[] pem(String label, byte[] content) {
        String lines = Base64.getMimeEncoder().encodeToString(content);
        return ("-----BEGIN " + label + "-----\r\n" + lines + "\r\n-----END " + label + "-----").getBytes();
    }
}

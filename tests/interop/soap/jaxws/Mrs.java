import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import gen.*;
import java.io.FileInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import javax.jws.WebService;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.xml.ws.Endpoint;

/** MRS on JAX-WS: chunked, prefix `S:`, faults by exception. Arguments: PKCS#12, its password, CA in PEM, file for the port. */
public final class Mrs {
    private static final Map<String, CustomerAccount> ACCOUNTS = new ConcurrentHashMap<>();

    @WebService(
            endpointInterface = "gen.CustomerPortType",
            targetNamespace = "http://customer.ws.mcrewards.mastercard.com/",
            serviceName = "CustomerService",
            portName = "CustomerPort")
    public static final class Customers implements CustomerPortType {
        @Override
        public EnrollResponse enroll(Enroll request, Identity identity) throws MrsFault {
            String number = request.getCustomerFields().getBANKCUSTOMERNUMBER();
            if (number.startsWith("FAULT")) {
                throw fault(number.substring("FAULT".length()));
            }
            CustomerAccountFields fields = request.getCustomerAccountFields();
            if (!Boolean.TRUE.equals(fields.getBANKACCOUNTNUMBER().isEncrypted())) {
                throw fault("-44");
            }
            CustomerAccount account = new CustomerAccount();
            account.setAccountId(ACCOUNTS.size() + 1L);
            account.setCustomerId(7L);
            account.setLastFourDigitsOfCard("0123");
            account.setAccountStatusId((int) fields.getACCOUNTSTATUSCODE());
            account.setAccountStatusDesc("GOOD_STANDING");
            account.setBankProductCode(fields.getBANKPRODUCTCODE());
            account.setProgramIdentifier(fields.getPROGRAMIDENTIFIER());
            account.setReferenceId("R-" + number);
            ACCOUNTS.put(number, account);
            EnrollResponse answer = new EnrollResponse();
            answer.setReferenceId(account.getReferenceId());
            answer.setCustomerId(account.getCustomerId());
            return answer;
        }

        @Override
        public UpdateCustomerAccountResponse updateCustomerAccount(UpdateCustomerAccount request, Identity identity)
                throws MrsFault {
            for (CustomerAccount account : ACCOUNTS.values()) {
                if (account.getReferenceId().equals(identity.getAppID()) && account.getAccountStatusId() != 3) {
                    account.setAccountStatusId(request.getACCOUNTSTATUSID().intValue());
                    Result result = new Result();
                    result.setSuccess(true);
                    UpdateCustomerAccountResponse answer = new UpdateCustomerAccountResponse();
                    answer.setUpdateCustomerAccountResult(result);
                    return answer;
                }
            }
            throw fault("-10");
        }

        @Override
        public GetCustomerAccountsResponse getCustomerAccounts(GetCustomerAccounts request, Identity identity)
                throws MrsFault {
            String number = identity.getAppID();
            if (number.startsWith("FAULT")) {
                throw fault(number.substring("FAULT".length()));
            }
            GetCustomerAccountsResponse answer = new GetCustomerAccountsResponse();
            if (ACCOUNTS.containsKey(number)) {
                answer.getCustomerAccount().add(ACCOUNTS.get(number));
            }
            return answer;
        }

        private static MrsFault fault(String code) {
            ErrorResp detail = new ErrorResp();
            detail.setCode(code);
            detail.setDescription("Zo\u00eb's 5234 0000 0000 1450 <refused>");
            return new MrsFault("refused: Zo\u00eb's 5234 0000 0000 1450", detail);
        }
    }

    @WebService(
            endpointInterface = "gen.DiagnosticPortType",
            targetNamespace = "http://customer.ws.mcrewards.mastercard.com/",
            serviceName = "DiagnosticService",
            portName = "DiagnosticPort")
    public static final class Diagnostics implements DiagnosticPortType {
        @Override
        public String doEcho(String text, Identity identity) {
            return text;
        }
    }

    public static void main(String[] arguments) throws Exception {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        SSLContext context = context(arguments[0], arguments[1].toCharArray(), arguments[2]);
        server.setHttpsConfigurator(
                new HttpsConfigurator(context) {
                    @Override
                    public void configure(HttpsParameters parameters) {
                        SSLParameters ssl = context.getDefaultSSLParameters();
                        ssl.setNeedClientAuth(true);
                        parameters.setSSLParameters(ssl);
                    }
                });
        server.setExecutor(Executors.newCachedThreadPool());
        Endpoint.create(new Customers()).publish(server.createContext("/MRS/CustomerService"));
        Endpoint.create(new Diagnostics()).publish(server.createContext("/MRS/DiagnosticService"));
        server.start();
        Path ready = Path.of(arguments[3]);
        Path written = ready.resolveSibling("port.new");
        Files.writeString(written, Integer.toString(server.getAddress().getPort()));
        Files.move(written, ready);
    }

    private static SSLContext context(String identity, char[] password, String authority) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(identity)) {
            keys.load(file, password);
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, password);
        KeyStore believed = KeyStore.getInstance("PKCS12");
        believed.load(null, null);
        try (FileInputStream file = new FileInputStream(authority)) {
            believed.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(believed);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}

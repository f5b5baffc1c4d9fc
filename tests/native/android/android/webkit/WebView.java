package android.webkit;

public class WebView {
    public WebSettings getSettings() { return null; }
    public void setWebViewClient(WebViewClient client) {}
    public WebViewClient getWebViewClient() { return null; }
    public void loadUrl(String url) {}
}

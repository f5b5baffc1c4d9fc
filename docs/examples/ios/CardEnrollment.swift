// Not compiled here.

import AuthenticationServices
import UIKit
import WebKit

/// The widget in a WKWebView.
final class CardEnrollmentController: UIViewController, WKScriptMessageHandler, WKNavigationDelegate, WKUIDelegate {
    /// Address that the bank's back end got from non_auth_initialize.
    private let url: URL
    private let onEnded: ([String: Any]) -> Void
    /// The customer pressed the button that leads back. The status is no proof: the confirmation is.
    private let onReturn: (String?) -> Void

    init(url: URL, onEnded: @escaping ([String: Any]) -> Void, onReturn: @escaping (String?) -> Void) {
        self.url = url
        self.onEnded = onEnded
        self.onReturn = onReturn
        super.init(nibName: nil, bundle: nil)
    }

    required init?(coder: NSCoder) { nil }

    override func loadView() {
        let configuration = WKWebViewConfiguration()
        configuration.websiteDataStore = .nonPersistent()
        configuration.userContentController.add(Weak(self), name: "enrollmentEnded")
        let webView = WKWebView(frame: .zero, configuration: configuration)
        webView.navigationDelegate = self
        webView.uiDelegate = self
        webView.load(URLRequest(url: url))
        view = webView
    }

    func userContentController(_ controller: WKUserContentController, didReceive message: WKScriptMessage) {
        let origin = message.frameInfo.securityOrigin
        guard message.frameInfo.isMainFrame, origin.protocol == url.scheme, origin.host == url.host else { return }
        if let ended = message.body as? [String: Any] { onEnded(ended) }
    }

    func webView(
        _ webView: WKWebView, decidePolicyFor action: WKNavigationAction,
        decisionHandler: @escaping (WKNavigationActionPolicy) -> Void
    ) {
        // A link that opens a window: `createWebViewWith` takes it. A frame inside of the page, such as a check's: it stays there.
        guard let frame = action.targetFrame, frame.isMainFrame else { return decisionHandler(.allow) }
        guard let next = action.request.url else { return decisionHandler(.cancel) }
        if next.scheme == url.scheme && next.host == url.host { return decisionHandler(.allow) }
        decisionHandler(.cancel)
        if next.scheme == "com.example.demobank" { onReturn(status(in: next)) }
    }

    // Terms and privacy notice open in the system's browser.
    func webView(
        _ webView: WKWebView, createWebViewWith configuration: WKWebViewConfiguration, for action: WKNavigationAction,
        windowFeatures: WKWindowFeatures
    ) -> WKWebView? {
        if let next = action.request.url, next.scheme == "https" { UIApplication.shared.open(next) }
        return nil
    }
}

/// The content controller keeps its handlers, which would keep the view controller.
private final class Weak: NSObject, WKScriptMessageHandler {
    private weak var handler: WKScriptMessageHandler?

    init(_ handler: WKScriptMessageHandler) { self.handler = handler }

    func userContentController(_ controller: WKUserContentController, didReceive message: WKScriptMessage) {
        handler?.userContentController(controller, didReceive: message)
    }
}

/// The widget in the system's browser, for a token whose `returnUrl` is `com.example.demobank:/cards`. Keep the session.
func openInBrowser(
    _ url: URL, on window: ASWebAuthenticationPresentationContextProviding, then: @escaping (String?) -> Void
) -> ASWebAuthenticationSession {
    let session = ASWebAuthenticationSession(url: url, callbackURLScheme: "com.example.demobank") { returned, _ in
        then(returned.flatMap(status(in:)))
    }
    session.presentationContextProvider = window
    session.prefersEphemeralWebBrowserSession = true
    session.start()
    return session
}

private func status(in url: URL) -> String? {
    URLComponents(url: url, resolvingAgainstBaseURL: false)?.queryItems?.first { $0.name == "status" }?.value
}

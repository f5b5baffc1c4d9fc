package com.example.demobank

import android.annotation.SuppressLint
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.webkit.WebResourceRequest
import android.webkit.WebView
import android.webkit.WebViewClient
import androidx.browser.customtabs.CustomTabsIntent
import androidx.webkit.WebViewCompat
import androidx.webkit.WebViewFeature
import org.json.JSONObject

/** Scheme and path of the token's `returnUrl`: `com.example.demobank:/cards`. */
private const val RETURN_SCHEME = "com.example.demobank"

/** The widget in a WebView of the app, without a way to other pages. */
class CardEnrollment(
    private val context: Context,
    /** Address that the bank's back end got from non_auth_initialize. */
    private val url: Uri,
    private val onEnded: (JSONObject) -> Unit,
    /** The customer pressed the button that leads back. The status is no proof: the confirmation is. */
    private val onReturn: (status: String?) -> Unit,
) {
    private val origin = "${url.scheme}://${url.authority}"

    /** Returns false where this WebView is too old for messages of one origin: open the system's browser instead. */
    @SuppressLint("SetJavaScriptEnabled")
    fun showIn(view: WebView): Boolean {
        if (!WebViewFeature.isFeatureSupported(WebViewFeature.WEB_MESSAGE_LISTENER)) return false
        view.settings.javaScriptEnabled = true
        view.settings.setSupportMultipleWindows(false)
        view.settings.allowFileAccess = false
        // The page calls window.enrollmentEnded.postMessage(json); no other origin sees that object.
        WebViewCompat.addWebMessageListener(view, "enrollmentEnded", setOf(origin)) { _, message, _, isMainFrame, _ ->
            val json = message.data
            if (isMainFrame && json != null) onEnded(JSONObject(json))
        }
        view.webViewClient = object : WebViewClient() {
            override fun shouldOverrideUrlLoading(view: WebView, request: WebResourceRequest): Boolean {
                val next = request.url
                if ("${next.scheme}://${next.authority}" == origin) return false
                when (next.scheme) {
                    RETURN_SCHEME -> onReturn(statusIn(next))
                    // Terms and privacy notice.
                    "https" -> context.startActivity(Intent(Intent.ACTION_VIEW, next))
                }
                return true
            }
        }
        view.loadUrl(url.toString())
        return true
    }
}

/** Opens the widget in a Custom Tab. The outcome comes by [ReturnActivity]. */
fun openInCustomTab(activity: Activity, url: Uri) {
    CustomTabsIntent.Builder()
        .setShareState(CustomTabsIntent.SHARE_STATE_OFF)
        .setShowTitle(true)
        .build()
        .launchUrl(activity, url)
}

/**
 * Receives `com.example.demobank:/cards?status=…`. Its manifest entry has `launchMode="singleTask"`, `exported="true"` and
 * an intent filter of VIEW, DEFAULT, BROWSABLE with that scheme.
 */
open class ReturnActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        take(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        take(intent)
    }

    private fun take(intent: Intent) {
        val next = intent.data
        if (next?.scheme == RETURN_SCHEME) returned(statusIn(next))
        finish()
    }

    /** Any app can send this intent: ask the bank's back end, which has the confirmation. */
    open fun returned(status: String?) {}
}

/** An address without `//` has no query by Android's own rules. */
private fun statusIn(url: Uri): String? = Regex("[?&]status=([A-Z_]+)(?:[&#]|$)").find(url.toString())?.groupValues?.get(1)

// Not compiled here. Packages: webview_flutter, url_launcher.

import 'dart:convert';

import 'package:flutter/widgets.dart';
import 'package:url_launcher/url_launcher.dart';
import 'package:webview_flutter/webview_flutter.dart';

class CardEnrollment extends StatefulWidget {
  const CardEnrollment({super.key, required this.url, required this.onEnded, required this.onReturn});

  /// Address that the bank's back end got from non_auth_initialize.
  final Uri url;
  final void Function(Map<String, dynamic> ended) onEnded;

  /// The customer pressed the button that leads back. The status is no proof: the confirmation is.
  final void Function(String? status) onReturn;

  @override
  State<CardEnrollment> createState() => _CardEnrollmentState();
}

class _CardEnrollmentState extends State<CardEnrollment> {
  late final WebViewController _controller;

  @override
  void initState() {
    super.initState();
    _controller = WebViewController()
      ..setJavaScriptMode(JavaScriptMode.unrestricted)
      // The page calls window.enrollmentEnded.postMessage(json), as on Android.
      ..addJavaScriptChannel(
        'enrollmentEnded',
        onMessageReceived: (message) => widget.onEnded(jsonDecode(message.message) as Map<String, dynamic>),
      )
      ..setNavigationDelegate(NavigationDelegate(onNavigationRequest: _decide))
      ..loadRequest(widget.url);
  }

  NavigationDecision _decide(NavigationRequest request) {
    // A frame inside of the page, such as a check's. On iOS a link that opens a window comes again, for the main frame.
    if (!request.isMainFrame) return NavigationDecision.navigate;
    final next = Uri.parse(request.url);
    // `Uri.origin` throws for other schemes than http and https.
    final page = widget.url;
    if (next.scheme == page.scheme && next.host == page.host && next.port == page.port) return NavigationDecision.navigate;
    if (next.scheme == 'com.example.demobank') {
      widget.onReturn(next.queryParameters['status']);
    } else if (next.scheme == 'https') {
      launchUrl(next, mode: LaunchMode.externalApplication);
    }
    return NavigationDecision.prevent;
  }

  @override
  Widget build(BuildContext context) => WebViewWidget(controller: _controller);
}

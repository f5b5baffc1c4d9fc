import { useCallback } from "react";
import { Linking } from "react-native";
import { WebView, type WebViewMessageEvent } from "react-native-webview";

export interface Ended {
  status: string;
  statusCode?: string;
  parentId?: string;
  ranac?: string;
  designCode?: string;
  bin?: string;
  last4?: string;
}

export interface Navigation {
  url: string;
  /** False for a frame inside of the page, on iOS. Android asks for no frames. */
  isTopFrame: boolean;
}

interface Props {
  /** Address that the bank's back end got from non_auth_initialize. */
  url: string;
  /** `returnUrl` of the token, of an app scheme: "com.example.demobank:/cards". */
  returnUrl: string;
  onEnded: (ended: Ended) => void;
  /** The customer pressed the button that leads back. */
  onReturn: (status: string | undefined) => void;
}

export function CardEnrollment({ url, returnUrl, onEnded, onReturn }: Props) {
  const origin = originOf(url);

  const receive = useCallback(
    ({ nativeEvent }: WebViewMessageEvent) => {
      if (originOf(nativeEvent.url) !== origin) return;
      const ended = read(nativeEvent.data);
      if (ended) onEnded(ended);
    },
    [origin, onEnded],
  );

  // Only the widget is shown here; terms and privacy notice open in the system's browser.
  const mayLoad = useCallback(
    (asked: Navigation) => {
      const place = placeOf(asked, url, returnUrl);
      if (place === "return") onReturn(statusIn(asked.url));
      if (place === "browser") void Linking.openURL(asked.url);
      return place === "here";
    },
    [url, returnUrl, onReturn],
  );

  return (
    <WebView
      source={{ uri: url }}
      originWhitelist={["*"]}
      onMessage={receive}
      onShouldStartLoadWithRequest={mayLoad}
      onOpenWindow={({ nativeEvent }) => void Linking.openURL(nativeEvent.targetUrl)}
      cacheEnabled={false}
      incognito
      allowsBackForwardNavigationGestures={false}
    />
  );
}

/** Where an address is opened. A frame inside of the page, such as a check's, stays there; links that open a window do not come here. */
export function placeOf({ url, isTopFrame }: Navigation, widget: string, returnUrl: string): "here" | "return" | "browser" | "nowhere" {
  if (!isTopFrame || originOf(url) === originOf(widget)) return "here";
  if (isBelow(url, returnUrl)) return "return";
  return url.startsWith("https://") ? "browser" : "nowhere";
}

/** The message's event; nothing for another message. */
export function read(message: string): Ended | undefined {
  try {
    const { type, detail } = JSON.parse(message);
    return type === "enrollmentEnded" && typeof detail?.status === "string" ? detail : undefined;
  } catch {
    return undefined;
  }
}

/** The `status` that the widget adds to the returnUrl. It came through the browser: the confirmation is the proof. */
export function statusIn(url: string): string | undefined {
  return /[?&]status=([A-Z_]+)(?:[&#]|$)/.exec(url)?.[1];
}

/** React Native's own URL is no full one, so that this does not use it. */
export function originOf(url: string): string | undefined {
  return /^https?:\/\/[^/?#@]+(?=[/?#]|$)/.exec(url)?.[0];
}

/** Whether an address is the returnUrl, with or without more in its query. */
export function isBelow(url: string, returnUrl: string): boolean {
  return url.startsWith(returnUrl) && /^($|[?&#])/.test(url.slice(returnUrl.length));
}

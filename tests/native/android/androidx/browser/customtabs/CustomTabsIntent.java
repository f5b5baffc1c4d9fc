package androidx.browser.customtabs;

import android.content.Context;
import android.net.Uri;

public final class CustomTabsIntent {
    public static final int SHARE_STATE_OFF = 2;
    public void launchUrl(Context context, Uri url) {}

    public static final class Builder {
        public Builder setShareState(int state) { return this; }
        public Builder setShowTitle(boolean show) { return this; }
        public CustomTabsIntent build() { return new CustomTabsIntent(); }
    }
}

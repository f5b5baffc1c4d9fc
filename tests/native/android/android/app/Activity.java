package android.app;

import android.content.Context;
import android.content.Intent;
import android.os.Bundle;

public class Activity extends Context {
    public void startActivity(Intent intent) {}
    public Intent getIntent() { return null; }
    public void finish() {}
    protected void onCreate(Bundle savedInstanceState) {}
    protected void onNewIntent(Intent intent) {}
}

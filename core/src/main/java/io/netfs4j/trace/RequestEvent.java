// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.trace;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One write request, from its beginning to its completion. Costs next to nothing when off. */
@Name("netfs4j.WriteRequest")
@Label("Write request")
@Category({"netfs4j", "Engine"})
@StackTrace(false)
public final class RequestEvent extends Event {
    @Label("Request")
    public String debugId = "";

    @Label("Origin")
    public String origin = "";

    @Label("File")
    public String file = "";

    @Label("Uploaded")
    @DataAmount
    public long uploadedBytes;

    @Label("Subrequests")
    public int subrequests;

    @Label("Outcome")
    public String outcome = "";
}

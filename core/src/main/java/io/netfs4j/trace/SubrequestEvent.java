// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.trace;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One attempt of a subrequest, from issue to termination. Costs next to nothing when off. */
@Name("netfs4j.Subrequest")
@Label("Subrequest")
@Category({"netfs4j", "Engine"})
@StackTrace(false)
public final class SubrequestEvent extends Event {
    @Label("Subrequest")
    public String debugId = "";

    @Label("Stream")
    public String stream = "";

    @Label("Position")
    public long position;

    @Label("Length")
    @DataAmount
    public long length;

    @Label("Outcome")
    public String outcome = "";
}

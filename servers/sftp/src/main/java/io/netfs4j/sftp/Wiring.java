// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Environment;

/** What the parts of one mounted server share. */
record Wiring(
        Environment environment,
        Link link,
        Exchange exchange,
        ServerPaths paths,
        Diagnosis diagnosis,
        HandleTable handles,
        FlightWindow reads,
        FlightWindow writes) {}

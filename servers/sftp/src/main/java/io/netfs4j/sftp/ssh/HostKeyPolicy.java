// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

/**
 * {@code StrictHostKeyChecking}. Asking ({@code ask}) is {@link #STRICT}: nobody is there to ask.
 */
public enum HostKeyPolicy {
    /** Unknown and changed keys are refused. */
    STRICT,
    /** An unknown key is written to known_hosts and accepted; a changed one is refused. */
    ACCEPT_NEW,
    /** Every key but a revoked one is accepted: anyone on the way can read and change all. */
    OFF
}

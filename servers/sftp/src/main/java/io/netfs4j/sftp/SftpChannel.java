// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import org.apache.sshd.client.channel.ChannelSubsystem;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.RemoteWindow;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.util.buffer.Buffer;

import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * The SSH channel of one SFTP session, without MINA's streams: what arrives goes straight to a
 * receiver, and packets are filled in place.
 *
 * <p><b>Threads</b>: the receiver is called on MINA's reading thread; {@link #waitForSpace} and
 * {@link #send} by one writer.
 */
final class SftpChannel extends ChannelSubsystem {
    /** Takes what the server sends. */
    interface Receiver {
        void received(byte[] bytes, int offset, int length);
    }

    /** A channel packet as OpenSSH's server takes it; larger offers are not used. */
    private static final int PACKET_BYTES_MAX = 32 * 1024;

    private static final Duration SPACE_WAIT = Duration.ofSeconds(30);

    private final Receiver receiver;

    SftpChannel(Receiver receiver) {
        super("sftp");
        this.receiver = receiver;
        setOut(OutputStream.nullOutputStream());
        setErr(OutputStream.nullOutputStream());
    }

    @Override
    protected void doWriteData(byte[] data, int offset, long length) throws IOException {
        if (length > data.length - offset) {
            throw new ProtocolViolation("a channel packet shorter than it says");
        }
        receiver.received(data, offset, (int) length);
        if (!isClosing()) {
            getLocalWindow().release(length);
        }
    }

    /** What the server writes to its standard error is read and dropped. */
    @Override
    protected void doWriteExtendedData(byte[] data, int offset, long length) throws IOException {
        if (!isClosing()) {
            getLocalWindow().release(length);
        }
    }

    /**
     * Waits until the server takes data.
     *
     * @return how many bytes one packet may carry now
     * @throws IOException when the channel is closed
     */
    int waitForSpace() throws IOException, InterruptedException {
        RemoteWindow window = getRemoteWindow();
        while (true) {
            try {
                long space = window.waitForSpace(SPACE_WAIT);
                return (int) Math.min(Math.min(space, window.getPacketSize()), PACKET_BYTES_MAX);
            } catch (SocketTimeoutException e) {
                // A server may be slow for as long as it answers keepalives.
                if (isClosing()) {
                    throw e;
                }
            }
        }
    }

    /** Begins a packet: the bytes go to {@link Buffer#array} from {@link Buffer#wpos}. */
    Buffer begin(int bytesMax) {
        // Eight more than MINA counts: recipient and length.
        Buffer buffer = getSession().createBuffer(SshConstants.SSH_MSG_CHANNEL_DATA, bytesMax + 12);
        buffer.putUInt(getRecipient());
        buffer.putUInt(0);
        buffer.ensureCapacity(bytesMax);
        return buffer;
    }

    /** Sends a packet that was begun and filled with {@code count} bytes. */
    IoWriteFuture send(Buffer packet, int count) throws IOException {
        int end = packet.wpos() + count;
        packet.wpos(packet.wpos() - 4);
        packet.putUInt(count);
        packet.wpos(end);
        getRemoteWindow().consume(count);
        return writePacket(packet);
    }
}

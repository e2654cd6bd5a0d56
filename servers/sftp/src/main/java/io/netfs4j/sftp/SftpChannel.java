// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import org.apache.sshd.client.channel.ChannelSubsystem;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.RemoteWindow;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.util.buffer.Buffer;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

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

    /**
     * Space that is worth waking up for: less than the 96 KiB that OpenSSH gives at a time, since
     * what waits here is missing on a long link.
     */
    private static final long SPACE_BYTES_WORTH = 64 * 1024;

    /** How long little space may become more. */
    private static final long SPACE_PATIENCE_MILLIS = 5;

    /** Between two looks whether the channel was closed meanwhile. */
    private static final long SPACE_WAIT_MILLIS = 500;

    private final Receiver receiver;

    /** Guards the wait of the writer for space. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition spaceCame = lock.newCondition();
    private long wantedBytes = Long.MAX_VALUE;

    /** The largest window seen; the one at the opening of the channel is often none. */
    private long widestBytes;

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

    @Override
    public void handleWindowAdjust(Buffer buffer) throws IOException {
        super.handleWindowAdjust(buffer);
        long size = getRemoteWindow().getSize();
        lock.lock();
        try {
            widestBytes = Math.max(widestBytes, size);
            if (size >= wantedBytes) {
                spaceCame.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until the server takes data, and a little longer for much of it: a server opens its
     * window in small steps, and waking up for each costs more than the packet.
     *
     * @return how many bytes one packet may carry now
     * @throws IOException when the channel is closed
     */
    int waitForSpace() throws IOException, InterruptedException {
        RemoteWindow window = getRemoteWindow();
        long worth = worth();
        long space = window.getSize();
        boolean waited = false;
        while (space < 1 || (space < worth && !waited)) {
            if (isClosing()) {
                throw new EOFException("the channel is closed");
            }
            lock.lock();
            try {
                wantedBytes = space < 1 ? 1 : worth;
                if (window.getSize() < wantedBytes) {
                    long millis = space < 1 ? SPACE_WAIT_MILLIS : SPACE_PATIENCE_MILLIS;
                    waited = !spaceCame.await(millis, TimeUnit.MILLISECONDS);
                }
            } finally {
                wantedBytes = Long.MAX_VALUE;
                lock.unlock();
            }
            space = window.getSize();
        }
        return (int) Math.min(Math.min(space, window.getPacketSize()), PACKET_BYTES_MAX);
    }

    /** Never more than the server ever gave, of which it may hold back a part. */
    private long worth() {
        lock.lock();
        try {
            return Math.max(1, Math.min(SPACE_BYTES_WORTH, widestBytes / 4));
        } finally {
            lock.unlock();
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

import java.util.Properties;
import javax.mail.*;

/** What a program that uses JavaMail does, with its debug output on: args are protocol, port, user and password. */
public class JavaMailClient {
  public static void main(String[] args) throws Exception {
    String protocol = args[0];
    Properties properties = new Properties();
    properties.setProperty("mail.debug", "true");
    properties.setProperty("mail.imap.partialfetch", "false");  // a message in one piece
    Session session = Session.getInstance(properties);
    Store store = session.getStore(protocol);
    store.connect("127.0.0.1", Integer.parseInt(args[1]), args[2], args[3]);
    Folder inbox = store.getFolder("INBOX");
    inbox.open(Folder.READ_WRITE);
    FetchProfile profile = new FetchProfile();
    profile.add(UIDFolder.FetchProfileItem.UID);
    profile.add(FetchProfile.Item.ENVELOPE);
    inbox.fetch(inbox.getMessages(), profile);
    for (Message message : inbox.getMessages()) {
      if (message.getHeader("Message-ID") == null) throw new IllegalStateException("no Message-ID");
      if (message.getSize() <= 0) throw new IllegalStateException("no size");
      message.writeTo(java.io.OutputStream.nullOutputStream());
    }
    inbox.getMessage(1).setFlag(Flags.Flag.DELETED, true);
    if (protocol.equals("imap")) {
      Folder kept = store.getFolder("Archive");
      inbox.copyMessages(new Message[] {inbox.getMessage(2)}, kept);
      kept.appendMessages(new Message[] {inbox.getMessage(2)});
    }
    inbox.close(true);
    store.close();
  }
}
